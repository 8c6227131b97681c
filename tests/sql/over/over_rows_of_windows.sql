-- what: OVER over the rows of a window table function.
-- compare: rows
CREATE TABLE orders (id INT, region STRING, product STRING, amount DECIMAL(12,2), n INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/orders.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, window_start, SUM(n) OVER (PARTITION BY region, window_start ORDER BY ts ROWS 3 PRECEDING) AS s FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '20' SECOND));

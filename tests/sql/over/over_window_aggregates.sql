-- what: OVER over window aggregates, ordered by window_time.
-- compare: rows
CREATE TABLE orders (id INT, region STRING, product STRING, amount DECIMAL(12,2), n INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/orders.csv','format'='csv','csv.null-literal'='n/a');
SELECT region, window_end, s, SUM(s) OVER (PARTITION BY region ORDER BY wt ROWS 2 PRECEDING) AS r FROM (SELECT region, window_end, window_time AS wt, SUM(n) AS s FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY region, window_start, window_end, window_time) AS w;

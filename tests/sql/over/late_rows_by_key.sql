-- what: ROWS: whether a row is late depends on its key alone.
-- compare: rows
CREATE TABLE orders (id INT, region STRING, product STRING, amount DECIMAL(12,2), n INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/orders.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, product, COUNT(*) OVER (PARTITION BY product ORDER BY ts ROWS 2 PRECEDING) AS l FROM orders;

-- what: A short RANGE over late rows: which are taken depends on when their key is forgotten.
-- compare: rows
CREATE TABLE orders (id INT, region STRING, product STRING, amount DECIMAL(12,2), n INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/orders.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, region, COUNT(*) OVER (PARTITION BY product ORDER BY ts RANGE BETWEEN INTERVAL '0.5' SECOND PRECEDING AND CURRENT ROW) AS l FROM orders;

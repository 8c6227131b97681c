-- what: Bounded ROWS by processing time.
-- compare: changelog
CREATE TABLE trades_pt (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3), pt AS PROCTIME()) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, sym, SUM(qty) OVER (PARTITION BY sym ORDER BY pt ROWS 1 PRECEDING) AS s, MIN(px) OVER (PARTITION BY sym ORDER BY pt ROWS 1 PRECEDING) AS m FROM trades_pt;

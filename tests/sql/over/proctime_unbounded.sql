-- what: By processing time all rows are of different times; DISTINCT.
-- compare: changelog
CREATE TABLE trades_pt (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3), pt AS PROCTIME()) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, sym, SUM(qty) OVER (PARTITION BY sym ORDER BY pt) AS s, COUNT(DISTINCT side) OVER (PARTITION BY sym ORDER BY pt) AS d FROM trades_pt;

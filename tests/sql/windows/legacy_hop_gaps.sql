-- what: Legacy HOP with gaps between windows.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT HOP_END(ts, INTERVAL '10' SECOND, INTERVAL '4' SECOND) AS e, COUNT(*) AS n FROM b GROUP BY HOP(ts, INTERVAL '10' SECOND, INTERVAL '4' SECOND);

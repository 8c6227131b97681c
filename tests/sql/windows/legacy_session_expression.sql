-- what: Legacy sessions by an expression, with merged row time.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT id > 100 AS big, SESSION_START(ts, INTERVAL '3' SECOND) AS s, SESSION_ROWTIME(ts, INTERVAL '3' SECOND) AS r, MIN(id) AS mi FROM b GROUP BY id > 100, SESSION(ts, INTERVAL '3' SECOND);

-- what: The first row of a key, then sessions.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
CREATE VIEW f AS SELECT id, k, s, ts FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k, s ORDER BY ts) AS rn FROM b) AS x WHERE rn = 1;
SELECT k, window_start, window_end, COUNT(*) AS n FROM TABLE(SESSION(TABLE f PARTITION BY k, DESCRIPTOR(ts), INTERVAL '6' SECOND)) GROUP BY k, window_start, window_end;

-- what: A window aggregate by an expression, then HAVING on another.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT UPPER(k) AS kk, window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '10' SECOND)) WHERE s IS NOT NULL GROUP BY UPPER(k), window_start, window_end HAVING MAX(id) > 5;

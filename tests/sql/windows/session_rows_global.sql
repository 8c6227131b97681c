-- what: SESSION over all rows, without an aggregation.
-- compare: changelog
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT id, window_start, window_end FROM TABLE(SESSION(TABLE b, DESCRIPTOR(ts), INTERVAL '2' SECOND));

-- what: Legacy HOP whose size is no multiple of the slide.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT k, HOP_START(ts, INTERVAL '4' SECOND, INTERVAL '10' SECOND) AS s, HOP_END(ts, INTERVAL '4' SECOND, INTERVAL '10' SECOND) AS e, COUNT(*) AS n FROM b GROUP BY k, HOP(ts, INTERVAL '4' SECOND, INTERVAL '10' SECOND);

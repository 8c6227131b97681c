-- what: INTERSECT, then an aggregate of its rows.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT k, COUNT(*) AS n FROM (SELECT k, s FROM b WHERE id < 12 INTERSECT SELECT k, s FROM b WHERE id > 6) GROUP BY k;

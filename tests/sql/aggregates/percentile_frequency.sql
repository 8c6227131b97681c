-- what: PERCENTILE with frequencies.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT k, PERCENTILE(m, 0.3, id) AS p, PERCENTILE(d, 0.9) AS q, PERCENTILE(id, 0.5) FILTER (WHERE id > 3) AS f FROM b GROUP BY k;

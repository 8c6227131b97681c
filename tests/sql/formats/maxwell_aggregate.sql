-- what: Retraction from Maxwell through a grouped aggregate.
-- compare: changelog
CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/maxwell.json','format'='maxwell-json');
SELECT k, SUM(v) AS s, COUNT(*) AS n FROM t GROUP BY k;

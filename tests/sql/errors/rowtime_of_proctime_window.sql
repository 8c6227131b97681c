-- what: TUMBLE_ROWTIME of a processing-time window.
-- compare: rows
CREATE TABLE p (id INT, pt AS PROCTIME()) WITH ('connector'='datagen','number-of-rows'='3');
SELECT TUMBLE_ROWTIME(pt, INTERVAL '10' SECOND) AS p, COUNT(*) AS n FROM p GROUP BY TUMBLE(pt, INTERVAL '10' SECOND);

-- what: A legacy processing-time window over a bounded input.
-- compare: rows
CREATE TABLE p (id INT, pt AS PROCTIME()) WITH ('connector'='datagen','number-of-rows'='3');
SELECT COUNT(*) AS n FROM p GROUP BY TUMBLE(pt, INTERVAL '1' DAY);

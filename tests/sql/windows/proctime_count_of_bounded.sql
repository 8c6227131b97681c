-- what: A processing-time window over a bounded input gives nothing before its end.
-- compare: rows
CREATE TABLE p (id INT, pt AS PROCTIME()) WITH ('connector'='datagen','number-of-rows'='3');
SELECT COUNT(*) AS n FROM TABLE(TUMBLE(TABLE p, DESCRIPTOR(pt), INTERVAL '1' DAY)) GROUP BY window_start, window_end;

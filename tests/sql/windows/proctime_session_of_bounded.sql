-- what: A processing-time session over a bounded input.
-- compare: rows
CREATE TABLE p (id INT, k AS 1, pt AS PROCTIME()) WITH ('connector'='datagen','number-of-rows'='3');
SELECT k, COUNT(*) AS n FROM TABLE(SESSION(TABLE p PARTITION BY k, DESCRIPTOR(pt), INTERVAL '1' DAY)) GROUP BY k, window_start, window_end;

-- what: Windows before 1970.
-- compare: rows
CREATE TABLE early (id INT, d DATE, t3 TIMESTAMP(3), t6 TIMESTAMP(6), WATERMARK FOR t3 AS t3 - INTERVAL '500' YEAR(3)) WITH ('connector'='filesystem','path'='${DATA}/early.csv','format'='csv','csv.null-literal'='n/a');
SELECT window_start, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE early, DESCRIPTOR(t3), INTERVAL '7' DAY)) GROUP BY window_start, window_end;

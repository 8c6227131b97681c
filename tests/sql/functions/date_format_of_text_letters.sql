-- what: DATE_FORMAT of a text writes with the letters of SimpleDateFormat.
-- compare: changelog
CREATE TABLE times (id INT, d DATE, t TIME(0), t0 TIMESTAMP(0), t3 TIMESTAMP(3), t6 TIMESTAMP(6), t9 TIMESTAMP(9)) WITH ('connector'='filesystem','path'='${DATA}/times.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, DATE_FORMAT(CAST(t0 AS STRING), 'u F EEEE MMMMM SSS') AS a, DATE_FORMAT(CAST(t0 AS STRING), 'G w W yyyyy') AS b, DATE_FORMAT(CAST(t0 AS STRING), 'YYYY X Z') AS c FROM times WHERE id NOT IN (5, 6);

-- what: FLOOR of more times before 1970.
-- compare: changelog
CREATE TABLE early (id INT, d DATE, t3 TIMESTAMP(3), t6 TIMESTAMP(6)) WITH ('connector'='filesystem','path'='${DATA}/early.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, FLOOR(t3 TO SECOND) AS c0, FLOOR(t3 TO MINUTE) AS c1, FLOOR(t3 TO HOUR) AS c2, FLOOR(t3 TO DAY) AS c3, FLOOR(t3 TO WEEK) AS c4, FLOOR(t3 TO MONTH) AS c5, FLOOR(t3 TO QUARTER) AS c6, FLOOR(t3 TO YEAR) AS c7, FLOOR(t6 TO MILLISECOND) AS c8, FLOOR(d TO MONTH) AS c9, FLOOR(d TO WEEK) AS c10 FROM early;

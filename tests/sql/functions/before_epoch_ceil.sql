-- what: CEIL of times before 1970.
-- compare: changelog
CREATE TABLE early (id INT, d DATE, t3 TIMESTAMP(3), t6 TIMESTAMP(6)) WITH ('connector'='filesystem','path'='${DATA}/early.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, CEIL(t3 TO SECOND) AS c0, CEIL(t3 TO MINUTE) AS c1, CEIL(t3 TO HOUR) AS c2, CEIL(t3 TO DAY) AS c3, CEIL(t3 TO WEEK) AS c4, CEIL(t3 TO MONTH) AS c5, CEIL(t3 TO QUARTER) AS c6, CEIL(t3 TO YEAR) AS c7, CEIL(t6 TO MONTH) AS c9, CEIL(t6 TO MILLISECOND) AS c10 FROM early;

-- what: letters that only one of Java's two kinds of patterns has.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, FROM_UNIXTIME(id * 86400 * 40, 'G w W F u EEEE MMMMM yyyyy X') AS a, FROM_UNIXTIME(id * 86400 * 40, 'Z z YYYY') AS b, FROM_UNIXTIME(id * 86400 * 40, 'DD k K h') AS c FROM emp;

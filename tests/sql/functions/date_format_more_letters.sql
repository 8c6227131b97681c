-- what: more letters of a pattern of DATE_FORMAT.
-- compare: changelog
CREATE TABLE times (id INT, d DATE, t TIME(0), t0 TIMESTAMP(0), t3 TIMESTAMP(3), t6 TIMESTAMP(6), t9 TIMESTAMP(9)) WITH ('connector'='filesystem','path'='${DATA}/times.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, DATE_FORMAT(t3, 'G') AS a, DATE_FORMAT(t3, 'w W') AS b, DATE_FORMAT(t3, 'e c') AS c, DATE_FORMAT(t3, 'A N') AS d, DATE_FORMAT(t3, 'F') AS e, DATE_FORMAT(t3, 'B') AS f, DATE_FORMAT(t3, 'YYYY') AS g, DATE_FORMAT(t3, 'EEEEE MMMMM') AS h, DATE_FORMAT(t3, 'yyyyy y yyy') AS i, DATE_FORMAT(t3, '[HH:mm]') AS j, DATE_FORMAT(t3, 'GGGG GGGGG') AS l, DATE_FORMAT(t3, 'eee eeee ccc') AS m, DATE_FORMAT(t3, 'DDD DD D') AS n FROM times WHERE id NOT IN (5);

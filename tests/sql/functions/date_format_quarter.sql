-- what: the letters of quarters in a pattern of DATE_FORMAT.
-- compare: changelog
CREATE TABLE times (id INT, d DATE, t TIME(0), t0 TIMESTAMP(0), t3 TIMESTAMP(3), t6 TIMESTAMP(6), t9 TIMESTAMP(9)) WITH ('connector'='filesystem','path'='${DATA}/times.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, DATE_FORMAT(t3, 'Q QQ QQQ QQQQ QQQQQ') AS a, DATE_FORMAT(t3, 'q qq qqq qqqq') AS b, TO_TIMESTAMP('Q2 2024', 'QQQ yyyy') AS c, TO_TIMESTAMP('3 2024', 'Q yyyy') AS d, TO_TIMESTAMP('5 2024', 'Q yyyy') AS e, TO_TIMESTAMP('3rd quarter 2024-05', 'QQQQ yyyy-MM') AS f FROM times;

-- what: DATE_FORMAT with letters as often as they may stand.
-- compare: changelog
CREATE TABLE times (id INT, d DATE, t TIME(0), t0 TIMESTAMP(0), t3 TIMESTAMP(3), t6 TIMESTAMP(6), t9 TIMESTAMP(9)) WITH ('connector'='filesystem','path'='${DATA}/times.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, DATE_FORMAT(t6, 'ee eeeee ww') AS a, DATE_FORMAT(t6, 'AAAAAAAAAA NN nnn') AS b, DATE_FORMAT(t6, 'YY Y YYYYY') AS c, DATE_FORMAT(t6, 'yy uu u uuuuu') AS d, DATE_FORMAT(t6, 'LLL LLLL LLLLL L LL') AS e, DATE_FORMAT(t6, 'BBBB BBBBB') AS f, DATE_FORMAT(t6, 'cccc ccccc') AS h FROM times WHERE id NOT IN (5);

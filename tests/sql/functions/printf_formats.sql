-- what: PRINTF: flags, widths, precisions, conversions of each type, indexes; NULL arguments; formats that Java refuses.
-- compare: changelog
-- note: DATE and TIME are integers there, DECIMAL an object; what the formatter refuses is NULL
SELECT PRINTF('%d|%5d|%-5d|%05d|%,d|%+d|%(d|% d', i, i, i, i, i, i, i, i) AS a,
  PRINTF('%x|%X|%o|%08X|%#x', i, i, i, i, i) AS b,
  PRINTF('%s|%10s|%-10s|%.2s|%S', s, s, s, s, s) AS c,
  PRINTF('%f|%.2f|%10.3f|%-10.1f|%,.2f|%e|%.3E|%g', d, d, d, d, d, d, d, d) AS d,
  PRINTF('%b|%B|%c', b, b, 65) AS e, PRINTF('%%|%n|%2$s %1$s', s, i) AS f,
  PRINTF('%s|%s|%s|%s', dt, ts, de, tm) AS g, PRINTF('%.2f', de) AS h, PRINTF('%d', s) AS i, PRINTF('%d', d) AS j,
  PRINTF('%s %s', s) AS k, PRINTF('%q', s) AS l, PRINTF('%x|%d', CAST(-1 AS TINYINT), CAST(-1 AS SMALLINT)) AS m,
  PRINTF('%-5s|%5b|%05.1f|%+.1f', s, b, d, d) AS n, PRINTF('none') AS o, PRINTF(s) AS p, PRINTF('%<s %s', s) AS q,
  PRINTF('%tY', ts) AS r, PRINTF('%-d', i) AS s, PRINTF('%5%|') AS t, PRINTF('%s %<s %s', s, i) AS u,
  PRINTF('%g|%g|%.3g|%g', 0E0, 123456789E0, 0.00012345E0, 1E-5) AS v, PRINTF('%.0f|%.0f|%.1f|%08.2f|%(,.2f', 0.5E0, 1.5E0, 0.25E0, -3.14159E0, -1234.5E0) AS w,
  PRINTF('%s|%d|%,d', CAST(1.5 AS FLOAT), CAST(5000000000 AS BIGINT), CAST(5000000000 AS BIGINT)) AS x, PRINTF('%d', dt) AS y, PRINTF(CAST(NULL AS STRING), 1) AS z
FROM (VALUES (42, 'abc', 3.14159E0, TRUE, DATE '2024-02-29', TIMESTAMP '2024-02-29 10:11:12.345', CAST(-12.50 AS DECIMAL(10, 2)), TIME '10:11:12'), (-1234567, 'x é', -0.001E0, FALSE, DATE '1969-12-31', TIMESTAMP '1969-12-31 23:59:00.000', CAST(1234567.89 AS DECIMAL(10, 2)), TIME '00:00:00'), (CAST(NULL AS INT), CAST(NULL AS STRING), CAST(NULL AS DOUBLE), CAST(NULL AS BOOLEAN), CAST(NULL AS DATE), CAST(NULL AS TIMESTAMP(3)), CAST(NULL AS DECIMAL(10, 2)), CAST(NULL AS TIME))) AS t(i, s, d, b, dt, ts, de, tm);

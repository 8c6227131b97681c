-- what: RAND and RAND_INTEGER with a seed of the row, CURRENT_DATABASE, IS_ALPHA, IS_DECIMAL, IS_DIGIT.
-- compare: changelog
-- note: IS_DECIMAL of a DECIMAL is false; the tests are false for NULL texts and look at the type of a number alone
SELECT RAND(i) AS a, RAND_INTEGER(i, 100) AS b, RAND_INTEGER(i, 64) AS c, CURRENT_DATABASE() AS d, s, IS_ALPHA(s) AS e, IS_DECIMAL(s) AS f, IS_DIGIT(s) AS g,
  IS_DECIMAL(i) AS h, IS_DIGIT(i) AS i, IS_ALPHA(i) AS j, IS_DECIMAL(1.5) AS k, IS_DECIMAL(1.5E0) AS l
FROM (VALUES (1, 'abc'), (2, CAST(NULL AS STRING)), (CAST(NULL AS INT), ''), (-5, 'é'), (2147483647, '1'), (0, ' 1.5'), (3, '1e5'), (4, 'abc1'), (5, 'NaN'), (6, '1d'), (7, '-'), (8, '½'), (9, '99999999999999999999'), (10, '+1'), (11, '１')) AS t(i, s);

-- what: matches of an empty text, also right behind others.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE j (k INT, a ARRAY<INT>, m MAP<STRING, INT>, d DOUBLE) WITH ('connector'='filesystem','path'='${DATA}/nulls_inside.json','format'='json');
SELECT k, REGEXP_REPLACE(CAST(k AS STRING) || 'ab,c', '[^,]*', '-') AS a, REGEXP_COUNT(CAST(k AS STRING) || 'ab,c', '[^,]*') AS b, REGEXP_EXTRACT_ALL(CAST(k AS STRING) || 'ab,c', '[^,]*', 0) AS c, STR_TO_MAP('a,b' || CAST(k AS STRING), ',*', '=') AS d, REGEXP_REPLACE(CAST(k AS STRING) || 'é', 'x*', '-') AS e, REGEXP_COUNT('', 'x*') AS f, REGEXP_REPLACE('abc' || CAST(k AS STRING), '\\b', '|') AS g, REGEXP_REPLACE('a$b' || CAST(k AS STRING), '^|$', '#') AS h FROM j;

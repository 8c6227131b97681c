-- what: an UNNEST that is called as the table that it reads.
-- compare: changelog
CREATE TABLE docs (id INT, tags ARRAY<STRING>) WITH ('connector'='filesystem','path'='${DATA}/nums.csv','format'='json');
SELECT d.id FROM docs AS d CROSS JOIN UNNEST(d.tags) AS d (tag);

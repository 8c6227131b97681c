-- what: LENGTH of other dialects is not a function of Flink SQL (CHAR_LENGTH is).
-- compare: rows
SELECT LENGTH('abc') AS n;

-- what: ROW, ARRAY and MAP into a sink: names of fields do not matter, elements are widened.
-- compare: rows
CREATE TABLE s (r ROW<a BIGINT, b STRING>, l ARRAY<BIGINT>, m MAP<STRING, DOUBLE>) WITH ('connector'='print');
INSERT INTO s SELECT ROW(1, 'x'), ARRAY[1, 2], MAP['k', CAST(1.5 AS FLOAT)];

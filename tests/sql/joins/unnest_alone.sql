-- what: UNNEST of a constant, with nothing before it.
-- compare: rows
SELECT x, o FROM UNNEST(ARRAY[3, 1, 2]) WITH ORDINALITY AS t(x, o) WHERE x > 1;

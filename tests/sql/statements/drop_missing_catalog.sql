-- what: DROP CATALOG of none.
-- compare: rows
DROP CATALOG nope;

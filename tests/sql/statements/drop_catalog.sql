-- what: DROP CATALOG.
-- compare: rows
CREATE CATALOG cat WITH ('type'='generic_in_memory');
DROP CATALOG cat;
SHOW CATALOGS;

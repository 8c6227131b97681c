-- what: SHOW CATALOGS.
-- compare: rows
CREATE CATALOG cat WITH ('type'='generic_in_memory');
SHOW CATALOGS;

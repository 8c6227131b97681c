-- what: SHOW CURRENT CATALOG after USE CATALOG.
-- compare: rows
CREATE CATALOG cat WITH ('type'='generic_in_memory');
USE CATALOG cat;
SHOW CURRENT CATALOG;

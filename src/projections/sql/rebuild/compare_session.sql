-- Two tables are hashed against each other by id.
set work_mem = '64MB';

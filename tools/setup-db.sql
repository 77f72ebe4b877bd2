-- Brings the role and the database of .env about, whatever is there already.
-- psql variables: user, pass, name.
SELECT format('CREATE ROLE %I', :'user')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'user') \gexec
ALTER ROLE :"user" LOGIN PASSWORD :'pass';
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'user')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
GRANT CREATE, CONNECT, TEMPORARY ON DATABASE :"name" TO :"user";

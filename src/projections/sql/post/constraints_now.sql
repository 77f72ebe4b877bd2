-- What would be checked, and what triggers would do, at the commit: now.
set constraints all immediate;

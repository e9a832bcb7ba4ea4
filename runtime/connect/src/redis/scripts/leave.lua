-- A consumer leaves; others have at once what it held.
return evict(ARGV[4], ARGV[5])

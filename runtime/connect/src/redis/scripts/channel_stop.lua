-- A subscriber gets no more copies, and nobody waits for it; what it has it can settle.
redis.call('SADD', key(ARGV[4], 'stopped'), ARGV[5])
bell('room', ARGV[4])
return 'ok'

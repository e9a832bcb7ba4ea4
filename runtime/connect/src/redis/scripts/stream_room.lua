-- How many more messages a stream with a bound takes.
return stream_room(ARGV[4], number(ARGV[5]))

-- How many more messages a queue takes.
return room(ARGV[4], number(ARGV[5]), number(ARGV[6]))

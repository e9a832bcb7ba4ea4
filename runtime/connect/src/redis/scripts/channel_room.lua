-- How many more messages a channel takes: as many as the slowest subscriber that is there.
return channel_room(present(ARGV[4]), number(ARGV[5]), number(ARGV[6]))

# SPDX-License-Identifier: Apache-2.0
#
# A server that forks a child for each request.

use strict;
use warnings;
use Cwd;
use IO::Socket::INET;

$| = 1;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ENV{PORT}, Listen => 8, ReuseAddr => 1)
	or die "port $ENV{PORT}: $!\n";
my $end = 0;
local $SIG{TERM} = sub { $end = 1 };
local $SIG{CHLD} = 'IGNORE';
print "$ENV{GREETING} from $< in ", getcwd(), " as process $$\n";
print STDERR "to the error output\n";

until ($end) {
	my $client = $server->accept or next;
	my $pid = fork;
	if (defined $pid && $pid == 0) {
		local $SIG{TERM} = 'DEFAULT';
		while (my $line = <$client>) {
			last if $line =~ /^\r?\n/;
		}
		print $client "HTTP/1.0 200 OK\r\n\r\nhello from perl\n";
		close $client;
		exit 0;
	}
	close $client;
}
print "line $_ of 2000\n" for 1 .. 2000;
print "bye\n";
exit 4;

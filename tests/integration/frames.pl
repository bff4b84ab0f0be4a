#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# frames.pl SOCKET KIND: say something to a shim that no containerd would say, then wait until it answers or
# hangs up, for at most three seconds. Prints what happened. A TTRPC frame is: length (4 bytes, big-endian),
# stream (4), type (1), flags (1), then a message.

use strict;
use warnings;
use IO::Socket::UNIX;
use Socket;

my ($path, $kind) = @ARGV;

sub connection { return IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path) || die "connect: $!\n"; }
sub header { my ($length, $stream, $type) = @_; return pack('NNCC', $length, $stream, $type, 0); }
sub field { my ($number, $text) = @_; return chr($number << 3 | 2) . varint(length $text) . $text; }

sub varint {
	my ($n) = @_;
	my $out = '';
	for (; $n > 127; $n >>= 7) { $out .= chr($n & 127 | 128); }
	return $out . chr($n);
}

# A request: service, method, payload.
sub request {
	my ($stream, $service, $method, $payload) = @_;
	my $message = field(1, $service) . field(2, $method) . field(3, $payload);
	return header(length $message, $stream, 1) . $message;
}

my $task = 'containerd.task.v2.Task';
my %said = (
	'random' => sub { srand 1; return join '', map { chr int rand 256 } 1 .. 65536; },
	'zeros' => sub { return "\0" x 65536; },
	'oversized' => sub { return header(0xffffffff, 1, 1) . ('x' x 65536); },
	'above-limit' => sub { return header(5 << 20, 1, 1) . ('x' x (5 << 20)); },
	'cut-header' => sub { return "\0\0\0"; },
	'cut-message' => sub { return header(100, 1, 1) . 'half'; },
	'even-stream' => sub { my $r = request(2, $task, 'State', field(1, 'x')); return $r; },
	'response-type' => sub { return header(4, 1, 2) . 'abcd'; },
	'unknown-type' => sub { return header(4, 1, 77) . 'abcd'; },
	'not-protobuf' => sub { return header(64, 1, 1) . ("\xff" x 64); },
	'bad-payload' => sub { return request(1, $task, 'Create', "\xff" x 64); },
	'unknown-method' => sub { return request(1, $task, 'Explode', ''); },
	'unknown-service' => sub { return request(1, 'no.such.Service', 'State', ''); },
	'id-with-slash' => sub { return request(1, $task, 'State', field(1, '../../etc')); },
	'huge-id' => sub { return request(1, $task, 'State', field(1, 'a' x (1 << 20))); },
	'same-stream-twice' => sub { return request(1, $task, 'State', field(1, 'x')) x 2; },
	'many-requests' => sub {
		return join '', map { request(2 * $_ + 1, $task, 'State', field(1, 'x')) } 0 .. 4999;
	},
);

if ($kind eq 'list') {
	print "$_\n" for sort keys %said;
	exit 0;
}

# Connections on which nothing is ever said.
if ($kind eq 'silent') {
	my @all = map { connection() } 1 .. 200;
	print 'connected ' . scalar(@all) . "\n";
	sleep 2;
	exit 0;
}

# Bytes one at a time, the way a network never does and a test does.
if ($kind eq 'dribble') {
	my $s = connection();
	for my $byte (split //, request(1, $task, 'State', field(1, 'x'))) {
		syswrite $s, $byte;
		select undef, undef, undef, 0.005;
	}
	sysread $s, my $answer, 4096;
	print 'answered ' . length($answer) . "\n";
	exit 0;
}

$SIG{PIPE} = 'IGNORE';
$SIG{ALRM} = sub { print "neither answered nor hung up\n"; exit 3; };
my $s = connection();
my $bytes = $said{$kind}->();
my $at = 0;
alarm 10;
while ($at < length $bytes) {
	my $n = syswrite $s, $bytes, length($bytes) - $at, $at;
	last unless defined $n;
	$at += $n;
}
shutdown $s, 1;
alarm 3;
my ($total, $answer) = (0, '');
while (1) {
	my $n = sysread $s, $answer, 65536;
	last unless $n;
	$total += $n;
}
print $total ? "answered $total\n" : "hung up\n";

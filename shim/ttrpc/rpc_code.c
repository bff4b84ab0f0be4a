/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/ttrpc/rpc_code.h"

int err_rpc_code(enum err_code code)
{
	switch (code) {
	case ERR_NONE:
		return 0;
	case ERR_INVALID:
		return 3;
	case ERR_TIMEOUT:
		return 4;
	case ERR_NOT_FOUND:
		return 5;
	case ERR_EXISTS:
		return 6;
	case ERR_LIMIT:
		return 8;
	case ERR_PRECONDITION:
		return 9;
	case ERR_UNSUPPORTED:
		return 12;
	case ERR_UNAVAILABLE:
	case ERR_NOMEM:
		return 14;
	case ERR_IO:
	case ERR_ENGINE:
		return 2;
	}
	return 2;
}

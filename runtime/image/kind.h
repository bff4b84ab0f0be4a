/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a file is, by its first bytes: enough to tell a person why the kernel will not run it. */
enum image_kind {
	IMAGE_EMPTY,	/* no bytes */
	IMAGE_ZEROS,	/* only zero bytes, as far as looked */
	IMAGE_ELF,	/* an executable or shared object */
	IMAGE_CUT,	/* ELF magic without a usable header or program header table */
	IMAGE_OBJECT,	/* ELF, but to be linked first */
	IMAGE_CORE,	/* ELF, but a memory dump */
	IMAGE_SCRIPT,	/* "#!" and an interpreter */
	IMAGE_NAMELESS, /* "#!" without an interpreter */
	IMAGE_LONG,	/* "#!" and a name that ends beyond what the kernel reads */
	IMAGE_BOM,	/* a byte order mark in front of "#!" or text */
	IMAGE_UTF16,	/* text in UTF-16, by its byte order mark */
	IMAGE_HTML,	/* what a server sends when it has not got the file: a page, */
	IMAGE_XML,	/* a document, */
	IMAGE_JSON,	/* an object, */
	IMAGE_ANSWER,	/* or a few words */
	IMAGE_LFS,	/* what git-lfs keeps in the repository in place of a file */
	IMAGE_TEXT,
	IMAGE_APE, /* a program that any shell unpacks for the system it is on */
	IMAGE_MACHO,
	IMAGE_PE,
	IMAGE_ASSEMBLY, /* PE that holds .NET's intermediate code: image_read() only */
	IMAGE_WASM,
	IMAGE_ZIP, /* a Java or other zip archive */
	IMAGE_JAVA_CLASS,
	IMAGE_GZIP,
	IMAGE_DATA, /* none of these */
	IMAGE_KIND_N,
};

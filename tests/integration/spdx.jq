# SPDX-License-Identifier: Apache-2.0
#
# What is wrong with an SPDX 2.3 document, a line each: the fields that the specification demands of a document,
# of packages, licences and relationships, and what their values may be, as far as hack/sbom uses them.

def need(condition; what): if condition then empty else what end;
def text: type == "string" and . != "";
def date: type == "string" and test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$");
def id: type == "string" and test("^SPDXRef-[A-Za-z0-9.-]+$");
def names: ["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "LGPL-2.1-only", "LGPL-2.1-or-later", "MIT", "Zlib"];

([.hasExtractedLicensingInfos[].licenseId]) as $refs |
([.SPDXID, .packages[].SPDXID]) as $ids |
def licence: . as $it | $it == "NOASSERTION" or any((names + $refs)[]; . == $it);

need(.spdxVersion == "SPDX-2.3"; "spdxVersion"),
need(.dataLicense == "CC0-1.0"; "dataLicense"),
need(.SPDXID == "SPDXRef-DOCUMENT"; "the document's SPDXID"),
need(.name | text; "the document's name"),
need(.documentNamespace | text and test("^https://[^# ]+$"); "documentNamespace"),
need(.creationInfo.created | date; "created"),
need(.creationInfo.creators | length > 0 and all(test("^(Person|Organization|Tool): .")); "creators"),
need($ids | length == (unique | length); "an SPDXID twice"),
(.packages[] | .name as $name |
	need(.SPDXID | id; "\($name): SPDXID"),
	need(.name | text; "a package without a name"),
	need(.versionInfo | text; "\($name): versionInfo"),
	need(.supplier | text and test("^(Person|Organization): ."); "\($name): supplier"),
	need(.downloadLocation == "NOASSERTION"; "\($name): downloadLocation"),
	need(.filesAnalyzed == false; "\($name): filesAnalyzed"),
	need(.licenseDeclared | licence; "\($name): licenseDeclared"),
	need(.licenseConcluded | licence; "\($name): licenseConcluded"),
	need(.copyrightText | text; "\($name): copyrightText"),
	(.checksums // [] | .[] | need(.algorithm == "SHA256" and (.checksumValue | test("^[0-9a-f]{64}$")); "\($name): checksum")),
	(.externalRefs // [] | .[] | need(.referenceCategory == "PACKAGE-MANAGER" and .referenceType == "purl" and
		(.referenceLocator | test("^pkg:deb/debian/[A-Za-z0-9.%-]+@[^ ?]+\\?arch=[a-z0-9]+$")); "\($name): purl"))),
(.hasExtractedLicensingInfos[] |
	need(.licenseId | text and test("^LicenseRef-[A-Za-z0-9.-]+$"); "licenseId \(.licenseId)"),
	need(.extractedText | text; "\(.licenseId): extractedText")),
(.relationships[] |
	need(.relationshipType | IN("DESCRIBES", "STATIC_LINK"); "relationshipType \(.relationshipType)"),
	(.spdxElementId, .relatedSpdxElement | . as $it | need(any($ids[]; . == $it); "a relationship with \($it)"))),
([.relationships[].relatedSpdxElement]) as $related |
(.packages[].SPDXID | . as $it | need(any($related[]; . == $it); "nothing has to do with \($it)"))

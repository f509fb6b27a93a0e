// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

/// What a finished stage tells of, read from its manifest. Each function records nothing without an audit trail and for
/// standard output, which cannot be read again.
namespace waybill::audit {

/// DICOM Instances Accessed for every study; U where its objects were changed, else R.
void record_accessed(const std::string& manifest);
/// Import from a medium, a hundred studies a message.
void record_imported(const std::string& manifest, const std::string& media);
/// Export to a medium, in the same way.
void record_exported(const std::string& manifest, const std::string& media);
/// Export of the records themselves, before they leave: each study and patient of the manifests once. `media` is the
/// file or folder, "-" for standard output. Throws RunError(Exit::usage) when there is an audit trail and a manifest is
/// standard input, for then nobody would learn whose records left. Memory: about 100 bytes a study.
void record_leaving(const std::vector<std::string>& manifests, const std::string& media);
/// The same of one study's records, given as lines of a manifest.
void record_leaving_lines(const std::vector<std::string>& lines, const std::string& media);
/// Patient Record and Procedure Record for the decided edits of a reconcile.
void record_decisions(const std::string& manifest);

}  // namespace waybill::audit

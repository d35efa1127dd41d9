#include "compiler/frontends/triton/Source.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace inlay::triton {

namespace {

bool isContinuationByte(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Longest part of a source line shown in a message.
constexpr size_t kShownColumns = 160;

/// The line and the caret under it. Tabs stay tabs above and below, so that both lines align.
void renderLine(std::string &out, const SourceFile &file, Span span) {
  LineColumn at = file.locate(span.begin);
  std::string_view line = file.line(at.line);
  size_t begin = std::min<size_t>(span.begin - file.lineBegin(at.line), line.size());
  size_t end = std::clamp<size_t>(span.end - file.lineBegin(at.line), begin, line.size());
  size_t first = begin > kShownColumns / 2 ? begin - kShownColumns / 2 : 0;
  while (first > 0 && isContinuationByte(line[first]))
    --first;
  std::string_view shown = line.substr(first, kShownColumns);
  while (!shown.empty() && first + shown.size() < line.size() &&
         isContinuationByte(line[first + shown.size()]))
    shown.remove_suffix(1);
  std::string caret;
  for (size_t i = first; i < begin; ++i)
    if (!isContinuationByte(line[i]))
      caret += line[i] == '\t' ? '\t' : ' ';
  caret += '^';
  for (size_t i = begin + 1; i < std::min(end, first + shown.size()); ++i)
    if (!isContinuationByte(line[i]))
      caret += '~';
  out += "    ";
  for (char c : shown)
    out += static_cast<unsigned char>(c) < 0x20 && c != '\t' ? '?' : c;
  fmt::format_to(std::back_inserter(out), "\n    {}\n", caret);
}

void renderMessage(std::string &out, const SourceFile *file, Span span, std::string_view kind,
                   std::string_view message) {
  if (!file) {
    fmt::format_to(std::back_inserter(out), "{}: {}\n", kind, message);
    return;
  }
  LineColumn at = file->locate(span.begin);
  fmt::format_to(std::back_inserter(out), "{}:{}:{}: {}: {}\n", file->path(), at.line, at.column,
                 kind, message);
  renderLine(out, *file, span);
}

} // namespace

SourceFile::SourceFile(std::string path, std::string text)
    : path_(std::move(path)), text_(std::move(text)) {
  // Offsets are 32 bits; nobody's kernel file has 4 GiB.
  if (text_.size() > std::numeric_limits<uint32_t>::max() - 1)
    text_.resize(std::numeric_limits<uint32_t>::max() - 1);
  lineBegins_.push_back(0);
  for (uint32_t i = 0; i < text_.size(); ++i) {
    bool isLoneReturn = text_[i] == '\r' && (i + 1 == text_.size() || text_[i + 1] != '\n');
    if (text_[i] == '\n' || isLoneReturn)
      lineBegins_.push_back(i + 1);
  }
}

std::string_view SourceFile::text(Span span) const {
  return std::string_view(text_).substr(std::min<size_t>(span.begin, text_.size()),
                                        span.end - span.begin);
}

LineColumn SourceFile::locate(uint32_t offset) const {
  offset = std::min<uint32_t>(offset, static_cast<uint32_t>(text_.size()));
  auto after = std::upper_bound(lineBegins_.begin(), lineBegins_.end(), offset);
  LineColumn at{static_cast<uint32_t>(after - lineBegins_.begin()), 1};
  for (uint32_t i = lineBegins_[at.line - 1]; i < offset; ++i)
    if (!isContinuationByte(text_[i]))
      ++at.column;
  return at;
}

uint32_t SourceFile::lineBegin(uint32_t number) const { return lineBegins_[number - 1]; }

std::string_view SourceFile::line(uint32_t number) const {
  size_t begin = lineBegins_[number - 1];
  size_t end = number < lineBegins_.size() ? lineBegins_[number] : text_.size();
  while (end > begin && (text_[end - 1] == '\n' || text_[end - 1] == '\r'))
    --end;
  return std::string_view(text_).substr(begin, end - begin);
}

Diagnostic &Diagnostic::note(const SourceFile &where, Span at, std::string text) {
  notes.push_back({&where, at, std::move(text)});
  return *this;
}

Diagnostic &Diagnostic::note(std::string text) {
  notes.push_back({nullptr, {}, std::move(text)});
  return *this;
}

Diagnostic &Diagnostics::error(const SourceFile &file, Span span, std::string message) {
  if (++count_ > kLimit) {
    overflow_ = {};
    return overflow_;
  }
  errors_.push_back({&file, span, std::move(message), {}});
  return errors_.back();
}

std::string Diagnostics::render() const {
  std::string out;
  for (const Diagnostic &error : errors_) {
    renderMessage(out, error.file, error.span, "error", error.message);
    for (const Diagnostic::Note &note : error.notes)
      renderMessage(out, note.file, note.span, "note", note.message);
  }
  if (count_ > kLimit)
    fmt::format_to(std::back_inserter(out), "error: {} more errors are not shown\n",
                   count_ - kLimit);
  if (!out.empty())
    out.pop_back();
  return out;
}

} // namespace inlay::triton

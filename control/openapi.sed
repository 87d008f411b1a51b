# SPDX-License-Identifier: BSD-3-Clause
# openapi.yaml, which is JSON but for its comments, to a C string literal.
/^#/d
s/\\/&&/g
s/"/\\"/g
s/.*/"&\\n"/

# What `sam build` runs for each function and layer (BuildMethod: makefile), in a copy of its folder. `make build` calls it.
#
# Wheels are those of Lambda, not of this machine. Bytecode is shipped: without it a cold start takes 2.75 times as long. Its
# validity is not checked at import, because nothing changes a bundle, and it names the paths that the files have in Lambda.

LAYER := $(ARTIFACTS_DIR)/python

define bytecode
	@find "$(ARTIFACTS_DIR)" -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ -n "$(PYTHON313)" ]; then \
		"$(PYTHON313)" -m compileall -q --invalidation-mode unchecked-hash -s "$(ARTIFACTS_DIR)" -p $(1) "$(ARTIFACTS_DIR)"; fi
endef

define wheels
	@"$(PIP)" install --quiet --no-deps --require-hashes --only-binary :all: --no-compile --target "$(LAYER)" \
		--implementation cp --python-version 3.13 --platform manylinux2014_aarch64 --platform manylinux_2_28_aarch64 \
		-r requirements.txt
	@rm -rf "$(LAYER)/bin"
	$(call bytecode,/opt)
endef

build-CodeLayer:
	@mkdir -p "$(LAYER)"
	@cp -R cardstock "$(LAYER)/"
	$(call bytecode,/opt)

build-DependenciesLayer:
	$(wheels)

build-MediaLayer build-ContentLayer build-SheetsLayer:
	$(wheels)

build-ReportsLayer:
	$(wheels)
	@cp -R fonts "$(ARTIFACTS_DIR)/"

build-%:
	@cp app.py "$(ARTIFACTS_DIR)/"
	$(call bytecode,/var/task)
